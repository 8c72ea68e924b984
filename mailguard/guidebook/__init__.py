"""The guide: one audit, made into a document that makes somebody act.

::

    audit document (JSON)  ┐
    traffic of the reports ├─> Case ──> parts/*.py ──> Book of Parts of Blocks ──> render/book: HTML, PDF, mail,
    the audit before       │   facts,    one part,     one language, no layout,     Markdown, .docx, .xlsx, JSON
    knowledge (policies/)  ┘   no words  words by id   every stranger's text marked

A *Case* is what is known, in no language. A *part* turns it into blocks with words that it takes by id from
``Texts`` (short texts, gettext) and from Markdown pages (long ones): no sentence stands in code or in templates.
A *Book* is the content in one language; what a renderer adds is layout alone, so every form says the same.
"""
