"""Events over HTTP: takes CloudEvents, stores them in the agency's topic, answers with a signed receipt, and later with
verdict and proof. Way in: `process.Gateway`.
"""
