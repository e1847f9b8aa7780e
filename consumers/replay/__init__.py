"""Folds the log into rows: live, rebuilt, as of an index, and the index of events. Way in: `fold.consumer.Consumer`,
`pipeline.pipeline.Host`."""
