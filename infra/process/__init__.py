"""Shared by long-running processes: leader election by lease and epoch, health, retry, tasks that end together, and
start-up. Entry points: `leader_election.LeaderElection`, `commands.run`. Imports: `infra.postgres`,
`infra.observability`.
"""
