"""Forms: one that cannot be read, one without its secret, and the page that answers one."""

from __future__ import annotations

from starlette.types import Message

from consumers.console.accounts.accounts import Account
from consumers.console.accounts.passwords import PasswordChecks
from consumers.console.app import application
from tests.every import every
from tests.world.pages import ADMINISTRATOR, AGENCY, CSRF, Away, browser, page, parts_for

BOUNDARY = "multipart/form-data; boundary=b"
NAMELESS = b"--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--\r\n"
FIELD = b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\nx\r\n'
OWN = FIELD.replace(b'"a"', b'"csrf"').replace(b"x", CSRF.encode())
UNSENT = "/sign-in?next=/&unsent=1"


UNREADABLE = [
    ("multipart/form-data", b"x"),
    (BOUNDARY, b"no part at all"),
    (BOUNDARY, NAMELESS),
    (BOUNDARY, FIELD * 2_001 + b"--b--\r\n"),
    ("application/x-www-form-urlencoded", b"&".join(b"a%d=x" % number for number in range(2_001))),
]
IN_ANOTHER_CHARSET = [
    (f"{BOUNDARY}; charset={charset}", OWN + FIELD.replace(b"x", rb"+2AA-\ud800\xff") + b"--b--\r\n")
    for charset in ("undefined", "idna", "punycode", '"UTF-7"', "unicode_escape", "utf-16-le")
]


async def test_a_form_that_cannot_be_read_leads_to_sign_in_where_nobody_is_signed_in() -> None:
    async with browser() as client:
        for content_type, body in UNREADABLE + IN_ANOTHER_CHARSET:
            answer = await client.post("/workspace/files", content=body, headers={"content-type": content_type})
            assert (answer.status_code, answer.headers["location"]) == (303, UNSENT), content_type
        for content_type, body in IN_ANOTHER_CHARSET:
            answer = await client.post("/sign-in", content=body, headers={"content-type": content_type})
            assert answer.status_code == 400, content_type


async def test_only_a_form_in_utf_8_is_read() -> None:
    async with browser(ADMINISTRATOR) as client:
        for content_type, body in IN_ANOTHER_CHARSET:
            answer = await client.post("/language", content=body, headers={"content-type": content_type})
            assert (answer.status_code, "<main" in answer.text) == (400, True), content_type
        for charset in ("", "; charset=utf-8", '; Charset="UTF-8"'):
            headers = {"content-type": BOUNDARY + charset}
            answer = await client.post("/components", content=OWN + FIELD + b"--b--\r\n", headers=headers)
            assert answer.status_code == 405, "the route is asked after the form was read"


async def test_the_largest_contract_of_the_catalogue_fits_into_a_form() -> None:
    contract = {"csrf": CSRF, "do": "check", "data.partnership_id": "P-1", "data.terms.expected.count": "400"}
    for number in range(400):
        contract |= {f"data.terms.expected.{number}.{name}": "1" for name in ("period", "amount_halalas")}
    for number in range(50):
        contract |= {f"data.terms.bands.{number}.{name}": "1" for name in ("up_to_halalas", "partner_bp")}
    contract |= {f"data.services.{number}": f"S-{number}" for number in range(200)}
    async with browser(AGENCY) as client:
        answer = await client.post("/workspace/publish/partnership.signed", data=contract)
        assert (answer.status_code, 'value="P-1"' in answer.text) == (422, True)


async def test_a_form_that_breaks_off_is_no_fault_where_nobody_is_signed_in() -> None:
    headers = [(b"host", b"console"), (b"content-type", b"application/x-www-form-urlencoded")]
    request = {"type": "http", "method": "POST", "path": "/workspace/files", "query_string": b"", "headers": headers}
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    await application(parts_for(None))(request, receive, send)
    assert sent[0]["status"] == 303


async def test_a_page_without_a_session_leads_to_sign_in_and_back() -> None:
    answer = await page(None, "/account?changed=true")
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?next=/account%3Fchanged%3Dtrue")


async def test_a_form_without_its_secret_is_refused() -> None:
    async with browser(ADMINISTRATOR) as client:
        for csrf in ("", "é", "\x00", f"{CSRF}é", "é" * 1_000):
            answer = await client.post("/language", data={"csrf": csrf, "language": "en"})
            assert answer.status_code == 403, csrf


@every("account", [None, ADMINISTRATOR])
async def test_what_a_form_without_its_session_held_is_shown_nowhere(account: Account | None) -> None:
    """A stranger could send it, and a link would show it to the person who signs in."""
    strangers = {"csrf": "a secret of an earlier session", "note": "typed by a stranger"}
    referer = {"referer": "http://console/account?y=2"}
    async with browser(account) as client:
        answer = await client.post("/account/sessions?x=1", data=strangers, headers=referer)
        if account is None:
            assert answer.headers["location"] == "/sign-in?next=/account%3Fy%3D2&unsent=1"
            answer = await client.get(answer.headers["location"])
            assert "data-unsent" in answer.text
        else:
            assert answer.status_code == 403
            assert 'href="/account?y=2"' in answer.text
        assert "stranger" not in answer.text + str(answer.headers)


async def test_a_form_leads_back_to_pages_of_this_site_only() -> None:
    others = ("http://elsewhere.example/workspace", "http://console//elsewhere.example", "")
    async with browser(ADMINISTRATOR) as signed_in, browser() as client:
        for headers in ({"referer": other} for other in others):
            assert "elsewhere" not in (await signed_in.post("/account/sessions", headers=headers)).text, headers
            answer = await client.post("/account/sessions", headers=headers)
            assert answer.headers["location"] == UNSENT, headers


async def test_a_cookie_of_another_application_hides_none_of_ours() -> None:
    async with browser(ADMINISTRATOR) as client:
        for other in ('prefs={"theme":"dark"}', "a=b c", "x", "na\u00efve=\u00e9", "a=;;=b", 'q="a;b"'):
            client.cookies.clear()
            cookie = f"{other}; yesser-session=any; yesser-language=en".encode("latin-1")
            answer = await client.get("/account", headers=[(b"cookie", cookie)])
            assert (answer.status_code, "Sign out" in answer.text) == (200, True), other


@every("has_password", [True, False])
async def test_only_who_has_a_password_may_change_it(has_password: bool) -> None:
    async with browser(Account("desk", "office", has_password=has_password)) as client:
        assert ('action="/account/password"' in (await client.get("/account")).text) is has_password
        given = {"csrf": CSRF, "password": "x", "new_password": "another password"}
        assert (await client.post("/account/password", data=given)).status_code == (503 if has_password else 404)


class NoAccounts(Away):
    """A database without accounts, in which nothing can be written."""

    async def fetchrow(self, *_: object) -> None:
        return None


async def test_another_tab_that_signed_in_does_not_stop_the_page_to_sign_in() -> None:
    async with browser(ADMINISTRATOR, passwords=PasswordChecks(), own=NoAccounts()) as client:
        answer = await client.post("/sign-in", data={"csrf": "", "username": "desk", "password": "wrong"})
        assert answer.status_code == 401
        elsewhere = {"origin": "https://elsewhere.example"}
        assert (await client.post("/sign-in", data={"username": "desk"}, headers=elsewhere)).status_code == 403


async def test_only_a_page_that_can_be_loaded_again_has_the_switch_of_languages() -> None:
    """A form is sent once: to load its answer again would lose what was typed, or a secret that is shown once."""
    switch = 'action="/language"'
    async with browser(ADMINISTRATOR) as client:
        assert switch in (await client.get("/components")).text
        assert 'name="back" value="/plan?as_of_index=5"' in (await client.get("/plan?as_of_index=5")).text
        for path in ("/components", "/campaigns/new-team"):
            answer = await client.post(path, data={"csrf": CSRF})
            assert answer.status_code >= 400
            assert ("<main" in answer.text, switch in answer.text) == (True, False)
    assert 'name="back" value="/sign-in"' in (await page(None, "/sign-in")).text
