"""The rules R1–R14 of docs/events.md §4; `pricing` is the pure function that shares an amount. Way in: `pricing`,
`receipts`, `closing`, `contracts`.
"""
