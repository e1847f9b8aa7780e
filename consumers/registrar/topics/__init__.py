"""The topics of agencies: that each is there, and what may be deleted from one. Way in: `topic_admin`, `erase`
(`yesser erase`)."""
