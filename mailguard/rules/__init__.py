"""The rules: one small module per way to be wrong.

Each module defines one ``Finding`` subclass and ``check(dossier) -> Iterator[<that finding>]``. ``catalogue.py`` lists
the modules, a line each, in the order in which findings are told. A rule looks only at the dossier: no clock, no
policy weight, no language. A rule stays silent where its facts were not answered; that something could not be
answered is itself told, once, by the ``unanswered`` list of the audit.

A new rule arrives whole: module, catalogue line, ``guides/ja`` and ``guides/en`` page, ``tests/specs`` page with a case
that fires and one that stays quiet, and its line in ``docs/clauses.toml``.
"""
