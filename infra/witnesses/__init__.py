"""Witnesses of the log (C2SP tlog-witness): cosignatures, the policy that says how many are enough, and the request by
which a log asks for one. Way in: `policy.read_policy`, `cosignature.cosign`.
"""
