import click


@click.group()
def topics() -> None: ...
