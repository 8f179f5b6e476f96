"""Tables of any values: kinds, columns, schemas that pandas reads back exactly."""
