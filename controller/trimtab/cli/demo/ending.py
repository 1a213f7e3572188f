"""What to try while the demo stays up: commands that work as they are printed.

A `Stage` flows in, lines for the terminal flow out.
"""

import sys
from pathlib import Path

from rich.console import Console
from rich.text import Text

from trimtab.cli.demo.stage import Stage


def commands_to_try(console: Console, stage: Stage) -> None:
    """Print them."""
    lines = (
        ("in another terminal", f"export KUBECONFIG={stage.cluster.kubeconfig_path}"),
        ("", f"export PATH={Path(sys.executable).parent}:{stage.kubectl_path.parent}:$PATH"),
        ("how it fares", "trimtab get"),
        ("change it past Git", "kubectl -n shop-production set env deployment/web CART_URL=http://elsewhere"),
        ("who changed what", "trimtab drift"),
        ("change it by Git", f"git clone {stage.url} && cd shop && sed -i 's/1.5.0/1.6.0/' base/catalog.yaml"),
        ("what would change", "trimtab diff shop-production --path ."),
        ("do it", "git commit -am 'Catalogue 1.6.0' && git push"),
        ("stop healing, and go on", "trimtab suspend shop-staging; trimtab resume shop-staging"),
        ("metrics", f"curl -s {stage.controller.metrics_url} | grep ^trimtab_"),
    )
    console.print()
    console.print(Text("All of it stays up until Ctrl-C. Try:", style="bold"))
    width = max(len(what) for what, _ in lines)
    for what, command in lines:
        console.print(Text.assemble((f"  {what:<{width}}  ", "dim"), (command, "bold")), soft_wrap=True)
