"""Names that a library does not promise, and the modules that use them.

A library may drop such a name in any version. Then a test here fails and says which module to mend, before a running
process does. Modules outside the table use none: the last test reads the whole product.
"""

from __future__ import annotations

import ast
import asyncio
import inspect
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeGuard

import asyncpg
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.client import AIOKafkaClient
from aiokafka.consumer.fetcher import Fetcher
from aiokafka.consumer.subscription_state import SubscriptionState
from aiokafka.producer.message_accumulator import BatchBuilder
from openpyxl.worksheet._read_only import ReadOnlyWorksheet
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from tests.every import every
from tests.paths import ROOT, product_modules, syntax_of

NOWHERE = "127.0.0.1:1"


MADE: Final[dict[type[Any], Callable[[], Any]]] = {
    **{
        kind: partial(kind, bootstrap_servers=NOWHERE)
        for kind in (AIOKafkaConsumer, AIOKafkaProducer, AIOKafkaAdminClient, AIOKafkaClient)
    },
    Fetcher: lambda: Fetcher(AIOKafkaClient(bootstrap_servers=NOWHERE), SubscriptionState()),
    BatchBuilder: lambda: BatchBuilder(1_000, 0),
}
"""How a class is made whose instances alone have the names."""
USES: Final[list[tuple[str, str, type[Any]]]] = [
    ("infra/kafka/clients.py", "_client", AIOKafkaConsumer),
    ("infra/kafka/clients.py", "_client", AIOKafkaAdminClient),
    ("infra/kafka/clients.py", "_closed", AIOKafkaProducer),
    ("infra/kafka/clients.py", "_sender", AIOKafkaProducer),
    ("infra/kafka/clients.py", "_conns", AIOKafkaClient),
    ("infra/kafka/clients.py", "_sasl_mechanism", AIOKafkaClient),
    ("infra/kafka/clients.py", "_sasl_plain_password", AIOKafkaClient),
    ("infra/kafka/clients.py", "_sasl_plain_username", AIOKafkaClient),
    ("infra/kafka/clients.py", "_security_protocol", AIOKafkaClient),
    ("infra/kafka/clients.py", "_ssl_context", AIOKafkaClient),
    ("infra/kafka/clients.py", "_sync_task", AIOKafkaClient),
    ("infra/kafka/clients.py", "_fetcher", AIOKafkaConsumer),
    ("infra/kafka/clients.py", "_fetch_task", Fetcher),
    ("infra/postgres/connection.py", "_transport", asyncpg.Connection),
    ("infra/process/tasks.py", "_log_traceback", asyncio.Task),
    ("infra/tables/workbook.py", "_get_source", ReadOnlyWorksheet),
    ("producers/gateway/http/protocol.py", "_unset_keepalive_if_required", HttpToolsProtocol),
    ("producers/gateway/writer.py", "_builder", BatchBuilder),
    ("producers/gateway/writer.py", "_relative_offset", BatchBuilder),
]
"""The module, the name, and what has it."""


@every(("module", "name", "owner"), USES)
async def test_a_private_name_of_a_library_is_still_there(module: str, name: str, owner: type[Any]) -> None:
    made: Any = MADE[owner]() if owner in MADE else owner
    try:
        assert hasattr(made, name), f"{module} uses `{name}`, which {owner.__name__} no longer has: change {module}."
    finally:
        for end in ("stop", "close"):  # or the library warns of a client that was not closed
            if inspect.iscoroutinefunction(getattr(made, end, None)) and not inspect.isclass(made):
                await getattr(made, end)()


def test_the_table_names_every_use_of_a_private_name_that_is_not_our_own() -> None:
    found = {(str(path.relative_to(ROOT)), name) for path in product_modules() for name in foreign_names(path)}
    assert found == {(module, name) for module, name, _ in USES}


def foreign_names(path: Path) -> set[str]:
    """Private names that a module uses, and that no class of its own defines by a method, a field or in `__init__`."""
    tree = syntax_of(path)
    own: set[str] = set()
    for made in (node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)):
        for node in made.body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                own.add(node.name)
            if isinstance(node, ast.FunctionDef) and node.name in ("__init__", "__post_init__", "__new__"):
                own |= {
                    inner.attr for inner in ast.walk(node) if is_private(inner) and isinstance(inner.ctx, ast.Store)
                }
            if isinstance(node, ast.AnnAssign | ast.Assign):
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                own |= {target.id for target in targets if isinstance(target, ast.Name)}
    return {node.attr for node in ast.walk(tree) if is_private(node)} - own


def is_private(node: ast.AST) -> TypeGuard[ast.Attribute]:
    return isinstance(node, ast.Attribute) and node.attr.startswith("_") and not node.attr.startswith("__")
