"""Where does the noise come from, and how should the next study be designed."""
