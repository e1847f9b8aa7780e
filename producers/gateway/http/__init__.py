"""HTTP below the routes: protocol limits, content modes of CloudEvents, batches. Way in: `protocol`, `content_mode`."""
