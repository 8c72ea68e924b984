"""A guide's content in its forms: HTML, PDF, Markdown, plain text, JSON, and pictures of its charts.

::

    Book ──html──> one file ──pdf──> A4 pages
       ├──markdown, text ──> for editors, for the plain part of a mail
       ├──data ──> JSON after schema/guide-1.schema.json
       └──chart ──> SVG ──picture──> PNG, for mail

The forms differ in layout alone: nothing is said in one of them that the book does not hold. The few words that layout
needs itself (page, contents, before the change) are messages of ``guide_layout``.

What strangers wrote is escaped here, for each form in its own way, and hidden characters in it are written out once
more, because not every field of a block is made of spans. No form fetches anything: pictures are ``data:`` URLs, and
the PDF engine's fetcher refuses all else.
"""
