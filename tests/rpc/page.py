# SPDX-License-Identifier: Apache-2.0
"""docs/reports/rpc.md: which peers were tried, and how."""

from importlib.metadata import version

# Client, server, what was tried, and how the names of the tests begin that did.
PEERS = (
    ("tvmgo", "tvmgo", "all of `tvmgo.rpc`", ("test_session", "test_trouble")),
    (
        "tvmgo",
        "tvmgo, in another network namespace",
        "files and arrays",
        ("test_peers.test_between_two_namespaces",),
    ),
    (
        "tvmgo",
        "tvmgo, through a proxy that delays, splits, stalls and cuts",
        "the same answers, or an error in time",
        ("test_peers.test_a_slow_network", "test_trouble.test_a_network"),
    ),
    (
        "tvmgo",
        "apache-tvm {tvm}",
        "files, functions, arrays, times, errors, wrong keys; graphs are refused",
        ("test_peers.test_our_client",),
    ),
    (
        "apache-tvm {tvm}",
        "tvmgo",
        "files, functions, arrays, times, errors, wrong keys",
        ("test_peers.test_their_client",),
    ),
    (
        "TVM 0.19, either way",
        "tvmgo",
        "cannot take part, and finds out at once",
        ("test_peers.test_tvm_0_19",),
    ),
)
HEAD = """\
# Other machines, as they were tried

`make test-rpc` writes this page, on one machine, over loopback but where something else is said. How to use them:
[devices far away](../guide/rpc.md).

## Clients and servers

| client | server | what was tried | tests |
| --- | --- | --- | --- |
"""
FAR = """
## Another processor

MobileNet v1 1.0 224, exported on x86-64 for AArch64, uploaded to `tvmgo rpc server`, run and timed there. The server is the
wheel for AArch64 in Debian's Python {python}, under QEMU {qemu}, and says that it is {machine}.

| | |
| --- | --- |
| results by RPC beside those of the same process without it | the same bits |
| beside the export for x86-64 | {apart:.1e} apart at most |
| a run, emulated | {seconds:.1f} s |
| the export for x86-64, sent there | refused before it is sent: it is {refusal} |
"""
BROKEN = """
## Broken conversations

{count:,} clients sent random bytes, wrong lengths, half packets and changed packets, eight at a time. The server then served the
next one as ever. Left of them: {processes} processes, {folders} folders; the server had {descriptors} descriptors open, and
{mib:.0f} MiB of memory at most.
"""


def row(client, server, tried, prefixes, found):
    """Return a line of the table; without a test that passed, nothing was tried."""
    said = [said for name, said in found.items() if name.startswith(prefixes)]
    passed = said.count("")
    left_out = [each for each in said if each]
    if not passed:
        tried = f"not tried: {left_out[0]}"
    tests = f"{passed}" + (f", {len(left_out)} left out" if left_out else "")
    return f"| {client} | {server} | {tried} | {tests} |\n"


def page(found, far, left):
    """Return the page, of what tests said, of `aarch64.measure` and of `broken.measure`."""
    tvm = version("apache-tvm")
    rows = [
        row(client.format(tvm=tvm), server.format(tvm=tvm), tried, prefixes, found)
        for client, server, tried, prefixes in PEERS
    ]
    return HEAD + "".join(rows) + FAR.format(**far) + BROKEN.format(**left)
