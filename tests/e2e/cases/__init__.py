# SPDX-License-Identifier: Apache-2.0
"""The cases by name: every public function of these modules that takes a lab."""

import importlib
import inspect

COMPILED = ("tomcat", "jetty", "go_http", "delayed_path", "settings", "tls_farewell", "tls_reuse")  # in Java and Go
MODULES = ("environment", "nginx_pool", "nginx_server", "nginx_early", "nginx_lua", "nginx_upstream", "nginx_tls",
           "nginx_workers", *COMPILED)


def cases_of(module):
    functions = inspect.getmembers(module, inspect.isfunction)
    own = [f for _, f in functions if f.__module__ == module.__name__ and not f.__name__.startswith("_")]
    return [f for f in own if list(inspect.signature(f).parameters) == ["lab"]]


GROUPS = {}
CASES = {}
for _name in MODULES:
    _found = cases_of(importlib.import_module(f"cases.{_name}"))
    GROUPS[_name] = [f"{_name}.{f.__name__}" for f in _found]
    CASES |= {f"{_name}.{f.__name__}": f for f in _found}
