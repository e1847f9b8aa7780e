"""The programme's real story, told through the same door as any agency's events (`yesser demo`). Way in: `demo`.
Imports: `producers.agencies`, `producers.publisher`.
"""
