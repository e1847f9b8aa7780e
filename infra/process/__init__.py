"""Shared by long-running processes: leader election by lease and epoch, health, retry, tasks that end together, and
start-up. Way in: `leader_election.LeaderElection`, `commands.run`.
"""
