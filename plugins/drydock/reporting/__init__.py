"""What people read and sign: one neutral document model, built from judgements, written as .docx, .html and .xlsx."""
