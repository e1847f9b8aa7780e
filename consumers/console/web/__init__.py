"""What every page is made of: words and numbers in two languages, templates, static files, forms, security headers.
Entry points: `Visit` (a request of somebody who is signed in), `Templates`. Imports: `infra.http`.
"""
