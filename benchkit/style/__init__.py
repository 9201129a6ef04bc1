"""The one matplotlib style file that every figure is drawn with."""
