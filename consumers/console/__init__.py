"""The console: the programme in a browser, for people who do not use the command line, in Arabic and English. `web` is
what every page is made of, `accounts` who may enter, `data` where figures come from and where events go, `pages` a
folder for each journey. It decides nothing: it reads through the read API's own routes, as the person who is signed
in, and sends through the gateway. Way in: `process.Console`, `yesser accounts`.
"""
