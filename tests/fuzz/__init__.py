"""Fuzzing: inputs that nobody would write, made from ones that somebody did.

``mutate.py`` changes bytes, with a seed. ``targets.py`` and ``session.py`` say for each reader of ours where to begin
and what must hold whatever comes: no exception but the declared one, no value that contradicts another, no forged
report believed. What a reader noticed about an input is told back, and an input that made it notice something new
becomes one to begin from (``campaign.py``).

``make fuzz SECONDS=600 SEED=1`` runs for long; the suite runs a few hundred inputs for each target, always the same.
What is found is made as short as it gets and kept in ``cases/``, which the suite tries every time.
"""
