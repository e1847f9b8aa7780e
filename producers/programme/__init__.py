"""The programme's real story, events through the same door as any agency's events (`yesser demo`). Way in: `demo`.
Imports: `producers.agencies`, `producers.publisher`.
"""
