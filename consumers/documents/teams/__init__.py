"""Who acts: teams with their webhooks, accounts of the console, the trail. Way in: `teams.Team`, `teams.TrailRow`."""
