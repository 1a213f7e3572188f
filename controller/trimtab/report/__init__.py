"""All that Trimtab tells: conditions, status, Events, metric definitions, tables and diffs, made from typed values."""
