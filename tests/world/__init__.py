"""What the tests of several folders share: builders, waits and judgements."""
