"""The fleet report: rows from the answers become one HTML file without scripts."""
