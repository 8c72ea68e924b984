"""What to publish instead, and the proof that it helps.

``propose`` asks each standard for a corrected record, ``prove`` puts it on top of the evidence, takes the whole survey
again offline and looks at the result with all rules. A fix that does not make its finding go away, or that brings a
new one, is never shown. A fix is *paste as is* only when it cannot stop mail that is accepted today; whatever tightens
``p``, ``sp``, ``np`` or ``all``, or stops authorising somebody, *needs your decision*.
"""
