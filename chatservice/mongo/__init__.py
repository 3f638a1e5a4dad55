"""The database engine: djongo made right for a supported Django and MongoDB 6 or newer.

`docs/decisions/0001-djongo-engine.md` says what is djongo's, what is ours, and what the engine
refuses.
"""
