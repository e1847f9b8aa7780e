"""The documentation site, generated from the catalogue and `docs/`. Way in: `site`."""
