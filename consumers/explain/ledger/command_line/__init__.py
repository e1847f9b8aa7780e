"""The commands of `yesser ledger` that the entry points `yesser.ledger` name; each is imported only when it runs. Way
in: `explain`, `history`, `reconcile`, `verify`.
"""
