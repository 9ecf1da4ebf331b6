"""How an executed notebook becomes one self-contained page: template, style, script, checks."""
