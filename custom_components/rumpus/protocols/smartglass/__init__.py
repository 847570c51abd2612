"""SmartGlass: how a phone or a computer speaks with an Xbox console over UDP."""
