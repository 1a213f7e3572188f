"""Fields of objects as server-side apply sees them: paths, who owns them, and what stands there.

`managedFields` of live objects flow in as the API server writes them; plan and drift read paths and values from here,
and write ownership back. Import from the modules: `path`, `fieldset`, `managed`, `shape`.
"""
