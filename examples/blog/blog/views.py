# views.py

from django.shortcuts import render
from .models import Comment
from .signals import new_comment_added

def add_comment(request):
    # Code to create a new comment
    comment = Comment.objects.create(**request.comment_form.cleaned_data)
    new_comment_added.send(sender=Comment, comment=comment)
    return render(request, "add_comment.html")
