"""`yesser teams | webhooks | subscriptions | expectations`: the commands of an operator."""
