"""What users are alerted to, and how."""
