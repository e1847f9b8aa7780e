"""All read models together: which there are, their versions, and their rebuild. Way in: `registry.CONSUMERS`,
`rebuild_command` (`yesser rebuild`)."""
