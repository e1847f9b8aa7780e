"""What every long-running process needs: leader election by lease and epoch, health, retry, tasks that end together,
and how it is started. Way in: `leader_election.LeaderElection`, `commands.run`. Imports: `infra.postgres`,
`infra.observability`.
"""
