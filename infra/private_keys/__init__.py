"""Where private keys are: files of a signer, and PKCS#11 tokens, both adapters of the port `signed_note.PrivateKey`.
Way in: `key_files.load_keys`, `token_key.parse_private_key`.
"""
