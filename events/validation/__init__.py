"""Whether a record may stand in the log, and if not, every reason why.

Way in: `validate.validate` for a record of an agency's topic, `validate.validate_form` where identity is not asked.
Both are pure. The quick way (`quick`) accepts nearly every good record; the full way (`full`) defines what is refused.
The room may import every other module of `events` but the refusal event and the documented examples, which import it.
"""
