"""What tests of several folders share: builders, clients, waits, processes and judges."""
