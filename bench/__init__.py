"""Benchmarks: what an audit costs, with the peer measured in the same run on the same zones.

``python -m bench`` runs everything and writes ``bench/results/*.json`` and the table of docs/benchmarks.md. All of it
stays on the loopback interface; the clinics are invented by ``bench/zones.py`` from a seed.
"""
