"""Asks the witnesses of the log for cosignatures, as a task of the relay. Way in: `cosigning.Cosigning`."""
