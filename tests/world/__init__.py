"""What the tests of several folders share: builders, clients, servers and waits."""
