"""What tests of several folders share: one builder for each thing."""
