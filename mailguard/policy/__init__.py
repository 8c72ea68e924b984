"""What should hold, and how much a finding weighs.

``files`` reads ``policies/*.toml`` strictly; ``expectation`` turns a policy and the user's own words into what the
rules look at; ``programme`` compares what was seen with what receivers ask for; ``judgement`` gives a finding its
severity and applies waivers. Expectation lies below the rules and judgement above them, so that no import circle can
form.

A programme's requirement is *met*, *unmet*, *unknown* (a deciding answer is missing) or *not checkable* (DNS cannot
show it). It is never "passed" for want of evidence. ``shelf`` is the only module here that touches a disk.
"""
