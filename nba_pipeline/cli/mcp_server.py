"""The command `mcp`: the tools of `reporting.tools` for agents, by the Model Context Protocol on standard input and output."""

import asyncio
import signal
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

from mcp import types
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server

from nba_pipeline.automation.alert_store import alerts_of
from nba_pipeline.common.errors import ConfigurationError, PipelineError
from nba_pipeline.common.json_text import json_text
from nba_pipeline.config.settings import Settings
from nba_pipeline.reporting.overview_pages import context_of
from nba_pipeline.reporting.tools import Tool, tools_of

INSTRUCTIONS = (
    "Point-in-time forecasts, prices and grades of NBA player props, read only. For `who is priced wrong tonight, and why` call "
    "priced_wrong with day=today. `simulated` says whether the figures are of an invented league. An error has a `fix`."
)


def run_mcp() -> None:
    """Answer the agent on standard input until it closes that, or until Ctrl-C.

    Python's own answer to Ctrl-C waits for the thread that reads the input, which may never come; nothing is written here that
    an end in the middle could spoil.
    """
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    settings = Settings.from_environment()
    tools = tools_of(settings.open_warehouse(), lambda: context_of(settings, alerts_of(settings)))
    asyncio.run(_serve(server_of(tools)))


async def _serve(server: Server[Any]) -> None:
    async with stdio_server() as (requests, answers):
        await server.run(requests, answers, server.create_initialization_options())


def server_of(tools: Mapping[str, Tool]) -> Server[Any]:
    """Build the server of some tools; what reads the warehouse runs in a thread."""
    listed = [
        types.Tool(
            name=t.name,
            description=t.description,
            input_schema=t.schema,
            annotations=types.ToolAnnotations(read_only_hint=True, open_world_hint=False),
        )
        for t in tools.values()
    ]

    async def list_tools(_: Any, __: types.PaginatedRequestParams | None) -> types.ListToolsResult:
        return types.ListToolsResult(tools=listed)

    async def call_tool(_: Any, asked: types.CallToolRequestParams) -> types.CallToolResult:
        return await asyncio.to_thread(call, tools, asked.name, asked.arguments or {})

    return Server(
        "nba_pipeline",
        version=version("nba_pipeline"),
        instructions=INSTRUCTIONS,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
    )


def call(tools: Mapping[str, Tool], name: str, arguments: Mapping[str, Any]) -> types.CallToolResult:
    """Ask a tool; a wrong question, or tables that cannot answer it, are a result with the error and its fix.

    Args:
        tools: The tools by name.
        name: The tool.
        arguments: Its arguments as the agent gave them.
    """
    try:
        if name not in tools:
            raise ConfigurationError(f"there is no tool {name}", f"use one of {', '.join(tools)}")
        return _result(tools[name].ask(arguments))
    except PipelineError as e:
        return _result({"error": e.what, "fix": e.remedy}, is_error=True)


def _result(answer: Mapping[str, Any], *, is_error: bool = False) -> types.CallToolResult:
    return types.CallToolResult(content=[types.TextContent(type="text", text=json_text(answer))], is_error=is_error)
