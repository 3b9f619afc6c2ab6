"""The report: one tidy frame of numbers, and its views as page, text, JSON, Markdown and workbook.

It may not read or write files of customers; storage and the shell hand it frames and take bytes or text.
"""
