"""Generated from the catalogue: JSON Schemas, the AsyncAPI document, examples of refusals; and the compatibility gate.
`python -m events.generate` writes the files. Way in: `schema_documents.schema_of`,
`asyncapi_document.asyncapi_document`, `compatibility.incompatibilities`.
"""
