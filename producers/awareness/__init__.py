"""A campaign team's reports: acknowledged, aired, completed. Way in: `commands`, `send.report`."""
