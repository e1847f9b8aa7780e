"""What every page is made of: words and numbers in two languages, templates, static files, forms, security headers. Way
in: `templates.Templates`, `language.Words`, `security.require_own_form`.
"""
